"""Vitale cards of the laboratory: templates of insured people and their families, made into cards."""
