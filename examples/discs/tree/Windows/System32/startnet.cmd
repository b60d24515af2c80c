@echo off
echo Nothing of this is Windows.
