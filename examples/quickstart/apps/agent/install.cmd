@echo off
rem Installs the agent.
copy agent.txt "%ProgramFiles%\agent.txt"
