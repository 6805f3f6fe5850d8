"""Conformance checks that any registered component can be put through, in the spirit of scikit-learn's check_estimator.

``sample`` makes a few people who walk, in memory. ``trial`` makes, seeds and trains a component on them as the harness
does. ``<kind>_checks`` holds the rules of a contract, one function each; ``learning_checks`` and ``conduct_checks`` those
that kinds share. ``checks`` binds them to a component: start there.
"""
