"""The evidence bundle of one incident (:mod:`incidents.export.bundle`), and the verifier that travels in it."""
