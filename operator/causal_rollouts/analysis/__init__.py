"""What is done offline: recordings, replay, simulation, calibration."""
