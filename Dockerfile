# One image for every role: the command says which (`ocrelay api`, `ocrelay worker`, `ocrelay sweeper`, `ocrelay migrate`).
FROM python:3.12-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
COPY requirements.lock ./
RUN python -m venv /opt/ocrelay && /opt/ocrelay/bin/pip install --require-hashes --requirement requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY api api
COPY worker worker
COPY shared shared
COPY models models
RUN /opt/ocrelay/bin/pip install --no-deps --no-build-isolation .
ARG OCRELAY_MODELS=crnn-zh-en,ppocr-v6
RUN /opt/ocrelay/bin/ocrelay models install --optional

FROM python:3.12-slim
COPY --from=build /opt/ocrelay /opt/ocrelay
ENV PATH=/opt/ocrelay/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 ORT_DISABLE_TELEMETRY=1 OCRELAY_DATA_DIR=/data
RUN useradd --uid 10001 --create-home ocrelay && install -d -o ocrelay -g ocrelay /data
USER ocrelay
WORKDIR /data
VOLUME /data
EXPOSE 8000
ENTRYPOINT ["ocrelay"]
CMD ["api"]
