"""The billing software of one scenario, its practice, and the front end that it sends to.

All of it is made when it is first needed, from the cards of the bench and the laboratory's keys, and dies with the
scenario. Sheets are made of what the SSV functions read and signed by the cards in the reader, whatever the target.
"""

from bifente.conformance.domains.fse.bench.bench import FseBench

__all__ = ["FseBench"]
