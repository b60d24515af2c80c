@echo off
echo Hello from the overlay
