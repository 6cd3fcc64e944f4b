"""The DMP: rights, authorisations, records and documents, and the transactions that reach them."""
