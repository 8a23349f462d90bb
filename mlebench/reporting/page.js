// Click a heading of a sortable table to sort its rows; the page is complete without this.
for (const table of document.querySelectorAll("table.sortable")) {
  const headings = [...table.tHead.rows[0].cells];
  headings.forEach((heading, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => {
      const up = heading.getAttribute("aria-sort") === "descending";
      headings.forEach((other) => other.removeAttribute("aria-sort"));
      heading.setAttribute("aria-sort", up ? "ascending" : "descending");
      const key = (row) => {
        const text = row.cells[column].dataset.sort ?? row.cells[column].textContent.trim();
        const number = Number.parseFloat(text.replace(/^[~]/, "").replaceAll(",", ""));
        return Number.isNaN(number) ? text.toLowerCase() : number;
      };
      const rank = (value) => (typeof value === "number" ? 0 : 1);
      const rows = [...table.tBodies[0].rows].sort((a, b) => {
        const [x, y] = [key(a), key(b)];
        const order = rank(x) - rank(y) || (x < y ? -1 : x > y ? 1 : 0);
        return up ? order : -order;
      });
      table.tBodies[0].append(...rows);
    });
  });
}
