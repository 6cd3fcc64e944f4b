"""The web sites of the health insurance that ask for the CPS: Ameli Pro (Web Médecin), and the Web PS of the DMP.

Told (sources#founding-text-000): the header from the professional's card, the component that is missing or not, the
button that reads the Vitale, the number that is typed, the patient's panel, the services. Addresses and texts are
ours.
"""
