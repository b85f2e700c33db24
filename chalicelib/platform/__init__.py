"""The edge to AWS and HTTP: storage, queues, secrets, requests, logs. Knows no business."""
