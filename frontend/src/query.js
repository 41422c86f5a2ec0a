// What a page with a query loads at once: the button that opens the editor. The editor itself comes when it is asked for.
// A classic script: a module of a page that was opened from disk would not run, and could not say why nothing happens.

(() => {
  const here = document.currentScript.src;
  const root = document.getElementById("query-editor");
  const status = root.querySelector(".query-status");
  const opener = root.querySelector(".query-open");

  /** Load a style sheet, and wait for it: the editor measures itself as it is drawn. */
  function style(name) {
    return new Promise((resolve, reject) => {
      const link = document.createElement("link");
      link.rel = "stylesheet";
      link.href = new URL(name, here).href;
      link.onload = resolve;
      link.onerror = () => reject(new Error(`${name} did not load`));
      document.head.append(link);
    });
  }

  async function open() {
    if (location.protocol === "file:") {
      status.textContent =
        "A page that was opened from disk may not read the data beside it: open this page from a web server to run queries.";
      return;
    }
    opener.disabled = true;
    status.textContent = "Loading the editor …";
    try {
      const [editor] = await Promise.all([import("./editor.js"), style("query.css")]);
      await editor.mount(root);
      opener.hidden = true;
      status.textContent = "";
    } catch (error) {
      opener.disabled = false;
      status.textContent = `The editor could not be loaded: ${error.message}. Try again.`;
    }
  }

  root.hidden = false;
  opener.addEventListener("click", open);
  if (new URLSearchParams(location.hash.slice(1)).has("query")) open(); // a link that somebody shared
})();
