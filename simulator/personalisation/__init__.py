"""From a YAML template to a card image: PKCS#15 files, business objects, and the laboratory IGC-Santé behind them."""
