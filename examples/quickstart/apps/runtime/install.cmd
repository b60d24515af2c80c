@echo off
rem Installs what the agent needs.
