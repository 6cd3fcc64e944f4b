"""The CPS4: a ChipDoc application on a Java Card. ``layout.yaml``: where things lie; ``engine.py``: what is served."""
