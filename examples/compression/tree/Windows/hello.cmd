@echo off
echo Hello from a compressed image.
