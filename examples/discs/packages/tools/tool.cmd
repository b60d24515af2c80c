@echo off
echo A tool.
