"""The CPS3: an IAS ECC card with a CPS2ter part. ``layout.yaml``: where things lie; ``engine.py``: what is served."""
