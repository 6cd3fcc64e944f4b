"""The apCV: the Vitale card as an application on a phone (sources#apcv).

Known of it: NFC or a QR code gives a context {identifier, token, end of validity YYYYMMDDHHMMSS}; a context is
acquired, restored, deleted, or renewed for one invoice; reading a plastic card destroys it first; the answer has the
structure of the card's and a flag; without a professional's card it is 61441 as for the card.

Everything else is the laboratory's own model: how a phone proves itself, what the QR code and the token hold, how long
they last, what is refused, and with which return code. Nothing here is the format of the GIE SESAM-Vitale.
"""

from bifente.simulator.services.apcv.parameters import ApcvParameters
from bifente.simulator.services.apcv.phone import Phone
from bifente.simulator.services.apcv.service import ApcvService, Holder

__all__ = ["ApcvParameters", "ApcvService", "Holder", "Phone"]
