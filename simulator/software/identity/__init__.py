"""The identity of a patient as practice software keeps it: two axes, four statuses, what may leave (sources#rniv)."""
