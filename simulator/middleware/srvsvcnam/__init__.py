"""SrvSVCNAM, the "composant CNAM": a local HTTPS service that reads the Vitale card for a page.

Known (sources#founding-text-000): it answers in HTTPS on 127.0.0.1 under an authority of its own, named after that
address, which the browser must trust for web sites; a page that does not find it offers its download. Its port, paths
and answers are not public: those here are ours.
"""
