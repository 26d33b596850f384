"""How long a report's page takes to open in Chromium: until the first text is painted, until the whole page stands and
answers (its tables can be read, sorted and filtered), and until the last chart is drawn. Medians of several openings.

    python3 bench/report_opening.py RUN/report.html
"""
import http.server
import json
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

OPENINGS = 5
# The page's policy forbids the network, so that a copy without it is measured.
PROBE = """<script>
const probe = setInterval(() => {
  const [done, all] = (document.documentElement.dataset.charts ?? "").split("/");
  const [navigation] = performance.getEntriesByType("navigation");
  if (!all || done !== all || !navigation.loadEventEnd) return;
  clearInterval(probe);
  const paint = performance.getEntriesByName("first-contentful-paint")[0];
  fetch("http://127.0.0.1:%d/", { method: "POST", mode: "no-cors", body: JSON.stringify({
    painted: paint ? paint.startTime : NaN, stands: navigation.loadEventEnd, drawn: performance.now(), charts: all }) });
}, 20);
</script></body>"""


def opened(browser, page, server):
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(
            [browser, "--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}",
             "--window-size=1400,1000", page.as_uri()], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            server.handle_request()
        finally:
            process.terminate()
            process.wait()
    return server.answer


class Answer(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.server.answer = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


def main():
    browser = next(name for name in ("chromium", "chromium-browser", "google-chrome") if shutil.which(name))
    text = pathlib.Path(sys.argv[1]).read_text()
    start = text.index("<meta http-equiv=\"Content-Security-Policy\"")
    text = text[:start] + text[text.index(">", start) + 1:]
    with http.server.HTTPServer(("127.0.0.1", 0), Answer) as server, tempfile.TemporaryDirectory() as folder:
        server.timeout = 60
        page = pathlib.Path(folder) / "page.html"
        page.write_text(text.replace("</body>", PROBE % server.server_port))
        openings = [opened(browser, page, server) for _ in range(OPENINGS)]
    for name, what in (("painted", "first text"), ("stands", "page stands"), ("drawn", "last chart")):
        times = [opening[name] for opening in openings if isinstance(opening[name], (int, float))]
        if times:
            print(f"{what}: {statistics.median(times):.0f} ms ({min(times):.0f} to {max(times):.0f})")
    print(f"charts: {openings[0]['charts']}")


if __name__ == "__main__":
    main()
