"""Clinical documents: CDA R2 with the header of the CI-SIS minimal structure (sources#ci-sis-cda)."""

from bifente.simulator.formats.cda.model import (
    CDA_TYPE,
    CdaBody,
    CdaDocument,
    CdaHeader,
    CdaOrganisation,
    CdaPatient,
    CdaPerson,
)
from bifente.simulator.formats.cda.reading import CdaError, CdaProblem, read_cda
from bifente.simulator.formats.cda.schema import CdaSchema
from bifente.simulator.formats.cda.writing import write_cda

__all__ = [
    "CDA_TYPE",
    "CdaBody",
    "CdaDocument",
    "CdaError",
    "CdaHeader",
    "CdaOrganisation",
    "CdaPatient",
    "CdaPerson",
    "CdaProblem",
    "CdaSchema",
    "read_cda",
    "write_cda",
]
