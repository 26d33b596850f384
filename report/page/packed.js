// Reads what formats/packed_text.cpp wrote: JSON as gzip in base64.
"use strict";
const page_packed = (() => {
  async function read(element) {
    if (!window.DecompressionStream) throw new Error("this browser is too old to unpack the charts' data; the tables have the numbers");
    const bytes = Uint8Array.from(atob(element.textContent), (letter) => letter.charCodeAt(0));
    const unpacked = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return JSON.parse(await new Response(unpacked).text());
  }
  return { read };
})();
