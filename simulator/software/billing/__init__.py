"""A billing software: sheets made of what the cards say, secured, sent in lots, followed until they are paid."""
