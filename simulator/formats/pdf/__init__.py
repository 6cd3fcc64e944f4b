"""PDF as the DMP wants it: PDF/A-1, looked at by pikepdf."""

from bifente.simulator.formats.pdf.archival import NOT_CHECKED, PdfError, pdf_a1_problems
from bifente.simulator.formats.pdf.making import make_pdf_a1

__all__ = ["NOT_CHECKED", "PdfError", "make_pdf_a1", "pdf_a1_problems"]
