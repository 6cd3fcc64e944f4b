"""The scenario model: what a YAML suite may say, and how it is read."""
