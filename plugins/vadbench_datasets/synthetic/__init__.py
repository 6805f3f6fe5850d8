"""The embedded stand-in `synthetic-campus`: walking people from a kinematic model, seen by simulated cameras.

Read it from the inside out: ``body`` (joint angles to joints), ``gait`` (speed to joint angles), ``gestures`` and
``actions`` (what else a body does), ``paths`` and ``conduct`` (where a person goes, normally), ``anomalies`` (and
abnormally), ``person`` (all of it put together), ``camera``, ``detector``, ``clip`` (one clip), ``campus`` (the data set).
"""
