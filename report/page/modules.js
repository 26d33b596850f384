// Joins the modules of the chart library: each is defined once and run when another first requires it.
"use strict";
const chart_modules = (() => {
  const factories = new Map();
  const loaded = new Map();
  function require(name) {
    if (!loaded.has(name)) {
      if (!factories.has(name)) throw new Error(`the chart library lacks the module ${name}`);
      const module = { exports: {} };
      loaded.set(name, module);
      factories.get(name).call(module.exports, module, module.exports, require);
    }
    return loaded.get(name).exports;
  }
  return { define: (name, factory) => factories.set(name, factory), require };
})();
