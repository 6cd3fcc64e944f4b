"""What both Vitale share: templates, personalisation, the list of opposed cards."""
