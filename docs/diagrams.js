// Draws the mermaid diagrams where `mermaid.min.js` lies beside the book's pages. Without it they are shown as text, which can be read too.
(() => {
    const diagrams = [...document.querySelectorAll("code.language-mermaid")];
    if (diagrams.length === 0) return;
    const script = document.createElement("script");
    script.src = (typeof path_to_root === "string" ? path_to_root : "") + "mermaid.min.js";
    script.onload = () => {
        for (const code of diagrams) {
            const drawing = document.createElement("pre");
            drawing.className = "mermaid";
            drawing.textContent = code.textContent;
            code.parentElement.replaceWith(drawing);
        }
        window.mermaid.initialize({ startOnLoad: false });
        window.mermaid.run();
    };
    document.head.append(script);
})();
