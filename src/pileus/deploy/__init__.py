"""From a folder to a running stack: plan, then execute. The plan is data; executing it can be interrupted and repeated."""
