"""What a relying party outside the card concludes."""
