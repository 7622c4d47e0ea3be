"""One file per subject; every view gets `request.scope` from the door and only asks stored records."""
