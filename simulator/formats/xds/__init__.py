"""IHE XDS.b as the DMP uses it: the metadata of documents, what is asked, what is answered (sources#ihe-xds)."""
