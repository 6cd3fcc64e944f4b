"""The file of an agrément: which tests apply to a product, how each stands, where the evidence is. Nobody's form."""
