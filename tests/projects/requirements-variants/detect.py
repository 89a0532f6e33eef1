from ultralytics import YOLO

YOLO("yolo11n.pt").predict("bus.jpg", device="cpu")
