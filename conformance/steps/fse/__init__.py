"""Care sheets (FSE) as the billing software of the workstation handles them: made, signed, sent, acknowledged, paid."""

# In the order of the journey: the register of steps, the schema and the reference page keep it.
# isort: off
from bifente.conformance.steps.fse import software, making, securing, sending, answers, desk

# isort: on

__all__ = ["answers", "desk", "making", "securing", "sending", "software"]
