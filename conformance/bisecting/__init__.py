"""Which of the differences between what works and what fails carry the failure: delta debugging, in few runs.

Knows nothing of what is compared: any differences, and a function that runs a mix of them.
"""
