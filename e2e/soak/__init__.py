"""Many rollouts for a long time: does the operator keep what it should forget?"""
