"""The control loop: observe, assess, decide, plan, record intent, act."""
