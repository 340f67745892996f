# One small image: Python, the locked requirements, the three packages. Data lives in the volume /data.
FROM python:3.11-slim

RUN useradd --create-home --uid 1000 yui && mkdir /data && chown yui /data
WORKDIR /app
COPY requirements.txt .
RUN pip install --no-cache-dir -r requirements.txt
COPY pyproject.toml README.md ./
COPY knowledge knowledge
COPY bot bot
COPY adapters adapters
RUN pip install --no-cache-dir --no-deps .

USER yui
ENV YUI_DATA_DIR=/data YUI_HOST=0.0.0.0 PYTHONUNBUFFERED=1
VOLUME /data
EXPOSE 8000
HEALTHCHECK --start-period=20s CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/readyz', timeout=5)"]
CMD ["yui", "serve"]
