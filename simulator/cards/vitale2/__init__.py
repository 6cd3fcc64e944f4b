"""The Vitale 2. ``layout.yaml``: where things lie and who may read them; ``engine.py``: what is served."""
