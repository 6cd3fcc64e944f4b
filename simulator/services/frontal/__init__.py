"""The insurer's front end and computer centre: lots checked on receipt, ARL, then RSP, as the bytes that come back."""
