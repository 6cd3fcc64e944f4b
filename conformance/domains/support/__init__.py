"""Support's side of the bench: a workstation as data, its journeys run for real, what is wrong with it and the cure."""
