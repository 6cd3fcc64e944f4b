"""TD0.9: the contextual pages of the web access (PDT-INF-527, sources#dmp-messages), in a plain form of ours."""
