"""The messages of the DMP beside XDS.b: demographics in HL7 v3, authorisations, lists (sources#dmp-messages)."""
