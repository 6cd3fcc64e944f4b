"""What the CPS3 and the CPS4 share: templates, personalisation, business objects, PKCS#15, the way to read them."""
