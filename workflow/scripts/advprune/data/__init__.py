"""Images and labels, from where they are published to a device."""
