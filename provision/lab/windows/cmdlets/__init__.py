"""The cmdlets of Windows that touch the machine, over the lab's model of it. Each declares what it takes."""
