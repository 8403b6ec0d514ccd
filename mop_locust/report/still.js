"use strict";
// The course of a run that is over: it stands in the page, and is drawn once.

{
  const course = JSON.parse(document.getElementById("course").textContent);
  document.documentElement.classList.add("drawn");
  MOP.drawCourse(document.getElementById("charts"), course);
}
