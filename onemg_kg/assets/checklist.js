// Keeps the ticks of the checklist in this browser, and tells how many there are. Without it the boxes are plain boxes.
"use strict";

(() => {
  const KEY = "onemg-kg:node-checklist";
  const main = document.querySelector("main");
  const boxes = [...main.querySelectorAll(".checklist input")];
  const choices = [...main.querySelectorAll(".choice input")];
  const output = main.querySelector(".tally output");
  const bar = main.querySelector(".tally progress");

  const kept = () => {
    try {
      const state = JSON.parse(localStorage.getItem(KEY));
      return { ticked: state.ticked.map(String), left: state.left.map(String) };
    } catch {
      return { ticked: [], left: [] }; // nothing kept yet, something that is not ours, or a browser that keeps nothing
    }
  };

  const keep = () => {
    const state = {
      ticked: boxes.filter((box) => box.checked).map((box) => box.value),
      left: choices.filter((choice) => !choice.checked).map((choice) => choice.value),
    };
    try {
      localStorage.setItem(KEY, JSON.stringify(state));
    } catch {
      // The ticks hold until the page is left.
    }
  };

  const show = () => {
    for (const choice of choices) document.getElementById(choice.value).hidden = !choice.checked;
    const asked = boxes.filter((box) => !box.closest("section").hidden);
    const done = asked.filter((box) => box.checked).length;
    output.value = `${done} of ${asked.length} done`;
    bar.max = asked.length || 1;
    bar.value = done;
  };

  const load = () => {
    const { ticked, left } = kept();
    for (const box of boxes) box.checked = ticked.includes(box.value);
    for (const choice of choices) choice.checked = !left.includes(choice.value);
    show();
  };

  main.addEventListener("change", () => {
    keep();
    show();
  });
  main.querySelector("#reset").addEventListener("click", () => {
    for (const box of boxes) box.checked = false;
    keep();
    show();
  });
  main.querySelector("#print").addEventListener("click", () => print());
  addEventListener("storage", load); // ticked in another window
  for (const part of main.querySelectorAll(".tally, .choice")) part.hidden = false;
  load();
})();
