"""Missions, the YAML files of orchestration profiles: what stands in one, what is wrong with one, what one does to a call.

shape        the fields of a mission file, all that are mandatory among them
reading      a YAML text -> a mission, or every mistake with its line, by the rules of the real server's parser
flaws        what such a server would take without a word, and no benchmark should; and what is worth knowing
files        a file, or a folder of them
expectation  which rules and templates a call must come with, and what is wrong with an answer
plan         which tools to call, with which arguments
"""
